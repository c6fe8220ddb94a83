import { devicesControllerDevices, sitesControllerSites, type DeviceNow, type Site } from '../../client';
import { answer } from './call';

/** The most that the API gives at once: a regency's registry is smaller. */
export const ALL = 10_000;

/** Every site, to name one or choose from. @throws ProblemError */
export async function allSites(signal?: AbortSignal): Promise<readonly Site[]> {
  return (await answer(sitesControllerSites({ query: { limit: ALL }, ...(signal && { signal }) }))).items;
}

/** Every device as it is now. @throws ProblemError */
export async function allDevices(signal?: AbortSignal): Promise<readonly DeviceNow[]> {
  return (await answer(devicesControllerDevices({ query: { limit: ALL }, ...(signal && { signal }) }))).items;
}
