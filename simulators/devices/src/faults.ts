import type { TimeSpan, UtcMillis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';

/** What can go wrong with what a sensor says. The span is that of the fault, in true time. */
export type SensorFault = TimeSpan &
  (
    | { readonly kind: 'drift'; readonly parameter: MeasuredParameter; readonly perDay: number }
    | { readonly kind: 'stuck'; readonly parameter: MeasuredParameter }
    | {
        readonly kind: 'spikes';
        readonly parameter: MeasuredParameter;
        /** Spikes a day. */
        readonly rate: number;
        /** How far a spike stands out, in the parameter's unit. */
        readonly size: number;
      }
    /** The parameter, or the whole message when none is named, is not sent. */
    | { readonly kind: 'dropout'; readonly parameter?: MeasuredParameter | undefined }
    /** The sensor states its ceiling in air that holds more. */
    | { readonly kind: 'saturation'; readonly parameter: MeasuredParameter; readonly at: number }
    /** A firmware that states the value in another unit: `value * factor + offset`. */
    | {
        readonly kind: 'wrong-unit';
        readonly parameter: MeasuredParameter;
        readonly factor: number;
        readonly offset: number;
      }
    /** The clock runs away by so many seconds a day, and is set right at the end. */
    | { readonly kind: 'clock-drift'; readonly secondsPerDay: number }
    /** The clock stands wrong by so many milliseconds. */
    | { readonly kind: 'clock-jump'; readonly by: number }
    /** Off for the span; then the counter begins anew and the first sample is the sensor's warm-up value, 0. */
    | { readonly kind: 'reboot' }
    /** Too little power: reboots over and over, a sample in between. */
    | { readonly kind: 'brown-out' }
    /** Every message is sent again, byte for byte. */
    | { readonly kind: 'resend' }
  );

/** What cuts a whole site, or one device of it. */
export type SupplyFault = TimeSpan &
  (
    | { readonly kind: 'power' }
    /** Nothing gets through; what was measured is sent when the link is back. */
    | { readonly kind: 'link' }
  );

/** What a camera can have beside that. */
export type CameraFault = TimeSpan &
  /** The recorder gives no picture, and the camera's agent says so. */
  (
    | { readonly kind: 'recorder'; readonly reason?: string | undefined }
    /** The lens is covered: pictures come and show nothing. The agent sees it and says so. */
    | { readonly kind: 'black' }
    /** The agent says "up", and its frames do not advance. */
    | { readonly kind: 'frozen' }
    /** Down for half of every period. */
    | { readonly kind: 'flapping'; readonly period: number }
  );

/** What other devices of the programmes can have beside that. */
export type ProgrammeFault = TimeSpan &
  /** Nobody empties the bin. */
  (
    | { readonly kind: 'uncollected' }
    /** The service does not answer. */
    | { readonly kind: 'outage' }
  );

export type Fault = SensorFault | SupplyFault | CameraFault | ProgrammeFault;
export type FaultKind = Fault['kind'];

export function during<F extends TimeSpan>(faults: readonly F[], at: UtcMillis): F[] {
  return faults.filter(({ from, to }) => at >= from && at < to);
}
