import type { CheckReport } from './findings.js';
import type { Scenario } from '../scenario.js';

/** What the scenario's own bounds do not allow. */
export function problemsOf({ file }: Scenario, report: Omit<CheckReport, 'problems'>): string[] {
  const { expect } = file;
  const problems: string[] = [];
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  const { sent, acknowledged } = report.messages;
  if (acknowledged < expect.acknowledged * sent)
    problems.push(`only ${acknowledged} of ${sent} messages were acknowledged`);
  if (report.values.stored < report.values.sent)
    problems.push(
      `${report.values.sent - report.values.stored} of ${report.values.sent} acknowledged values are not stored`,
    );
  for (const { fault, recall } of expect.flags) {
    const found = report.flags.find((finding) => finding.fault === fault);
    if (found === undefined)
      problems.push(`the fault ${fault} falsified no value, so nothing could be found`);
    else if (found.recall < recall)
      problems.push(
        `of the values that ${fault} falsified ${percent(found.recall)} are flagged (${found.found} of ${found.falsified}); the scenario asks for ${percent(recall)}`,
      );
  }
  const { count, flagged } = report.soundValues;
  if (expect.falseFlags !== undefined && flagged > expect.falseFlags * count)
    problems.push(
      `${flagged} of ${count} sound values are flagged; the scenario allows ${percent(expect.falseFlags)}`,
    );
  if (expect.availability !== undefined)
    for (const { device, errorSeconds } of report.availability)
      if (errorSeconds * 1000 > expect.availability.error)
        problems.push(
          `the uptime of ${device} is wrong by ${errorSeconds === Infinity ? 'all of it: there is no figure' : `${errorSeconds.toFixed(0)} s`}; the scenario allows ${expect.availability.error / 1000} s`,
        );
  for (const bound of expect.alerts) {
    const found = report.alerts.find(({ rule }) => rule === bound.rule);
    if (found === undefined) continue;
    const { rule, expected, missing, extra, delaySeconds } = found;
    if (expected < bound.atLeast)
      problems.push(`the air exceeds ${rule} ${expected} times; the scenario promises ${bound.atLeast}`);
    if (missing > bound.missing) problems.push(`${missing} of ${expected} alerts of ${rule} are missing`);
    if (extra > bound.extra) problems.push(`${extra} alerts of ${rule} have no true exceedance`);
    if (bound.delay !== undefined && delaySeconds * 1000 > bound.delay)
      problems.push(
        `an alert of ${rule} came ${delaySeconds} s late; the scenario allows ${bound.delay / 1000} s`,
      );
  }
  if (expect.index !== undefined)
    for (const { device, trueIndex, seenIndex: seen } of report.indices)
      if (seen === null || Math.abs(seen - trueIndex) > expect.index.error)
        problems.push(
          `the index of ${device} is ${seen ?? 'not there'} beside the true ${trueIndex}; the scenario allows an error of ${expect.index.error}`,
        );
  if (expect.means !== undefined) {
    const { error, parameter } = expect.means;
    if (report.means.length === 0) problems.push(`there is no daily mean of ${parameter} to compare`);
    for (const { device, date, trueMean, seenMean } of report.means)
      if (seenMean !== null && Math.abs(seenMean - trueMean) > error * trueMean)
        problems.push(
          `the mean of ${device} on ${date} is ${seenMean.toFixed(1)} beside the true ${trueMean.toFixed(1)}; the scenario allows ${percent(error)}`,
        );
  }
  for (const { device, kind, value, sent, arrived, as, taken } of report.programmes) {
    if (taken > 0)
      problems.push(
        `${taken} values ${value} of ${device} are stored: Pantau has learnt to take them; correct what expect.notYet says of ${kind}`,
      );
    if (arrived < sent)
      problems.push(
        as === 'unknown_parameter'
          ? `${sent - arrived} of ${sent} values ${value} of ${device} are not refused by name, so nobody learns of them`
          : `${sent - arrived} of ${sent} messages of ${device} are not kept as the ${as} that they were`,
      );
  }
  return problems;
}
