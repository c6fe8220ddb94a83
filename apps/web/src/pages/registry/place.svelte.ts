import { remember, remembered } from '../../core/remembered';

const USUAL_PORT = '1883';

/** Where devices find the broker: the host of this page and the usual port, until somebody says otherwise in this browser. */
class BrokerPlace {
  #host = $state(remembered('broker.host') ?? location.hostname);
  #port = $state(remembered('broker.port') ?? USUAL_PORT);

  get host(): string {
    return this.#host;
  }
  set host(host: string) {
    this.#host = host;
    remember('broker.host', host);
  }

  get port(): string {
    return this.#port;
  }
  set port(port: string) {
    this.#port = port;
    remember('broker.port', port);
  }
}

export const broker = new BrokerPlace();
