import type { Broker } from '../../../client';
import { remember, remembered } from '../../core/remembered';

const USUAL_PORT = '1883';

/** Where devices find the broker: as Pantau says it, until somebody says otherwise in this browser. */
class BrokerPlace {
  #host = $state(remembered('broker.host'));
  #port = $state(remembered('broker.port'));
  #known = $state.raw<Broker>();
  readonly #listener = $derived(
    this.#known?.listeners.find(({ protocol }) => protocol === 'mqtt') ??
      this.#known?.listeners.find(({ protocol }) => protocol === 'mqtts'),
  );

  learn(known: Broker): void {
    this.#known = known;
  }

  get host(): string {
    return this.#host ?? this.#known?.host ?? location.hostname;
  }
  set host(host: string) {
    this.#host = host;
    remember('broker.host', host);
  }

  get port(): string {
    return this.#port ?? this.#listener?.port.toString() ?? USUAL_PORT;
  }
  set port(port: string) {
    this.#port = port;
    remember('broker.port', port);
  }

  /** Whether the port is one behind TLS. */
  get isSecure(): boolean {
    const { port } = this;
    return (
      this.#known?.listeners.some((one) => one.protocol === 'mqtts' && String(one.port) === port) === true
    );
  }
}

export const broker = new BrokerPlace();
