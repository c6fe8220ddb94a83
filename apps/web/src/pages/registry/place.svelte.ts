import { brokerControllerBroker, type Broker } from '../../../client';
import { answer } from '../../api/call';
import { resource, type Resource } from '../../api/resource.svelte';
import { remember, remembered } from '../../core/remembered';

/** Where devices find the broker: as Pantau says it, until somebody says otherwise in this browser. Empty while nobody has said so. */
class BrokerPlace {
  #host = $state(remembered('broker.host'));
  #port = $state(remembered('broker.port'));
  #known = $state.raw<Broker>();
  readonly #mqtt = $derived(
    this.#known?.listeners.find(({ protocol }) => protocol === 'mqtt') ??
      this.#known?.listeners.find(({ protocol }) => protocol === 'mqtts'),
  );
  readonly #http = $derived(this.#known?.listeners.find(({ protocol }) => protocol === 'http'));

  /** Asks Pantau while the component is there that calls this. */
  ask(): Resource<Broker> {
    return resource(async (signal) => (this.#known = await answer(brokerControllerBroker({ signal }))));
  }

  get host(): string {
    return this.#host ?? this.#known?.host ?? '';
  }
  set host(host: string) {
    this.#host = host;
    remember('broker.host', host);
  }

  get port(): string {
    return this.#port ?? this.#mqtt?.port.toString() ?? '';
  }
  set port(port: string) {
    this.#port = port;
    remember('broker.port', port);
  }

  /** Where devices post. */
  get httpPort(): string {
    return this.#http?.port.toString() ?? '';
  }

  /** Whether the port is one behind TLS. */
  get isSecure(): boolean {
    const { port } = this;
    return (
      this.#known?.listeners.some((one) => one.protocol === 'mqtts' && String(one.port) === port) === true
    );
  }

  /** Why devices do not reach it, as far as Pantau knows; somebody who names another place knows of something in between. */
  unreachable(by: 'mqtt' | 'http'): 'none' | 'local' | undefined {
    if (this.#known === undefined) return undefined;
    if (this.#host !== undefined || (by === 'mqtt' && this.#port !== undefined)) return undefined;
    const listener = by === 'mqtt' ? this.#mqtt : this.#http;
    return listener === undefined ? 'none' : listener.isLocal ? 'local' : undefined;
  }
}

export const broker = new BrokerPlace();
