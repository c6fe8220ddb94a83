import { dictionary } from '../../core/language.svelte';

export const words = dictionary(
  {
    title: 'Langkah pertama',
    about: 'Hubungkan perangkat pertama: lokasi, perangkat, kata sandi, lalu kiriman pertamanya.',
    site: '1. Lokasi',
    chooseSite: 'Lokasi perangkat',
    newSite: 'Lokasi baru',
    choose: 'pilih',
    device: '2. Perangkat',
    chooseDevice: 'Perangkat',
    newDevice: 'Perangkat baru',
    password: '3. Kata sandi',
    send: '4. Kirim',
    sendAbout:
      'Jalankan baris ini di komputer dengan Mosquitto, atau isi setelan yang sama di perangkat Anda.',
    maker: 'Merek perangkat',
    anyMaker: 'format Pantau sendiri (mosquitto_pub, program sendiri)',
    makerAbout: 'Setelan perangkat merek lain, dengan alamat dan nama perangkat Anda sudah terisi.',
    guideOf: (maker: string) => `Setelan ${maker}`,
    behind: (ids: readonly string[]) =>
      ids.length === 1
        ? `Perangkat ini masuk atas nama yang di belakangnya. ${ids.join()} adalah contoh: daftarkan perangkat Anda sendiri, dan isikan pada “Berbicara untuk”.`
        : `Perangkat ini masuk atas nama yang di belakangnya. ${ids.join(', ')} adalah contoh: daftarkan perangkat Anda sendiri satu per satu, dan isikan semuanya pada “Berbicara untuk”.`,
    place: { mqtt: 'Alamat Pantau untuk MQTT:', http: 'Alamat Pantau untuk HTTP:' },
    tls: '(TLS)',
    local: {
      mqtt: 'Hanya program di komputer Pantau sendiri yang mencapai alamat ini. Untuk perangkat lain, atur mqtt.host di pantau.yaml, lalu mulai Pantau lagi.',
      http: 'Hanya program di komputer Pantau sendiri yang mencapai alamat ini. Untuk perangkat lain, atur httpIntake.host di pantau.yaml, lalu mulai Pantau lagi.',
    },
    noListener: {
      mqtt: 'Pantau ini tidak membuka port MQTT: perangkat tidak dapat tersambung langsung. Atur mqtt.port di pantau.yaml, atau sambungkan perangkat ke broker yang dibaca Pantau.',
      http: 'Port HTTP untuk perangkat tidak diketahui. Atur httpIntake.port di pantau.yaml.',
    },
    passwordThere:
      'KATA-SANDI: yang dibuat pada langkah 3. Ia ditampilkan sekali; bila hilang, buat yang baru.',
    thenMap: 'Bila kiriman pertamanya tiba pada topik yang belum dikenal, katakan perangkat mana itu:',
    toTopics: 'Topik tak dikenal dari perangkat ini',
    needsPassword: 'Buat kata sandi pada langkah 3; setelah itu barisnya muncul di sini.',
    command: 'Perintah',
    arrives: '5. Tiba',
    waiting: 'Menunggu kiriman pertama …',
    arrived: 'Kiriman pertama tiba dan terbaca.',
    refused: 'Kiriman tiba, tetapi ditolak',
    connected: 'Perangkat tersambung; belum ada nilai.',
    toDevice: 'Lihat perangkat ini',
  },
  {
    title: 'First steps',
    about: 'Connect a first device: site, device, password, and then its first message.',
    site: '1. Site',
    chooseSite: 'Site of the device',
    newSite: 'New site',
    choose: 'choose',
    device: '2. Device',
    chooseDevice: 'Device',
    newDevice: 'New device',
    password: '3. Password',
    send: '4. Send',
    sendAbout: 'Run this line on a computer with Mosquitto, or set your device to the same.',
    maker: 'Maker of the device',
    anyMaker: "Pantau's own format (mosquitto_pub, a program of your own)",
    makerAbout:
      'The settings of a device of another maker, with your address and the name of the device filled in.',
    guideOf: (maker: string) => `Settings of ${maker}`,
    behind: (ids: readonly string[]) =>
      ids.length === 1
        ? `This device signs in for those behind it. ${ids.join()} is an example: register your own device, and enter it under “Speaks for”.`
        : `This device signs in for those behind it. ${ids.join(', ')} are examples: register each of your own devices, and enter all of them under “Speaks for”.`,
    place: { mqtt: 'Address of Pantau for MQTT:', http: 'Address of Pantau for HTTP:' },
    tls: '(TLS)',
    local: {
      mqtt: "Only programs on Pantau's own computer reach this address. For other devices set mqtt.host in pantau.yaml, and start Pantau again.",
      http: "Only programs on Pantau's own computer reach this address. For other devices set httpIntake.host in pantau.yaml, and start Pantau again.",
    },
    noListener: {
      mqtt: 'This Pantau opens no MQTT port: no device can connect to it directly. Set mqtt.port in pantau.yaml, or connect the device to the broker that Pantau reads.',
      http: 'The HTTP port for devices is not known. Set httpIntake.port in pantau.yaml.',
    },
    passwordThere: 'PASSWORD: the one made in step 3. It is shown once; where it is lost, make a new one.',
    thenMap: 'When its first message arrives on a topic that is not known yet, say which device it is:',
    toTopics: 'Unknown topics of this device',
    needsPassword: 'Make a password in step 3; the line appears here then.',
    command: 'Command',
    arrives: '5. Arrive',
    waiting: 'Waiting for the first message …',
    arrived: 'The first message has arrived and is read.',
    refused: 'A message arrived and was refused',
    connected: 'The device is connected; there is no value yet.',
    toDevice: 'See this device',
  },
);
