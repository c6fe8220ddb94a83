import type { Namespace } from '#libs/state';
import type { Batch, BatchContext } from '#libs/journal-transport';

/** Folds a batch into the row of each device that it speaks of. */
export async function updateDevices<V, T extends { readonly device: string }>(
  namespace: Namespace<V>,
  batch: Batch<T>,
  state: BatchContext['state'],
  none: V,
  update: (view: V, data: T) => V,
): Promise<void> {
  const devices = [...new Set(batch.map(({ data }) => data.device))];
  const stored = await state.getMany(namespace, devices);
  const views = new Map<string, V>(devices.map((device, i) => [device, stored[i] ?? none]));
  for (const { data } of batch) views.set(data.device, update(views.get(data.device) ?? none, data));
  for (const [device, view] of views) state.put(namespace, device, view);
}
