import type { DevicePasswordsDependencies, Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import type { Rate } from '#libs/kernel';
import type { TimePolicy } from '#libs/telemetry';

/** A listener for devices. */
export interface HttpIntakeListener {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Whether somebody chose the address: one that follows from another setting may be taken, and Pantau starts without it. */
  readonly isChosen: boolean;
}

export interface HttpIntakeOptions extends DevicePasswordsDependencies {
  readonly journal: Journal;
  readonly registry: Registry;
  /** Undefined for none: devices then come through the API's port alone. */
  readonly listener: HttpIntakeListener | undefined;
  /** Why there is none, for a warning, where nobody asked for none. */
  readonly noListener?: string;
  /** Path of the local socket through which the API hands on what devices send to its port. */
  readonly socket: string;
  /** Told when the listener is open. */
  readonly onListening: (port: number) => void;
  readonly timePolicy: TimePolicy;
  /** Names of the codecs that may be asked for. */
  readonly codecs: ReadonlySet<string>;
  readonly maxPayloadBytes: number;
  /** Of a file of lines. */
  readonly maxBatchBytes: number;
  /** Wrong passwords of an address. */
  readonly authFailures: Rate;
  readonly messagesPerDevice: Rate;
}
