import type { QualityFlag } from '#libs/telemetry';

interface Outcomes {
  readonly becameReadings: number;
  readonly becameSignals: number;
  readonly becameCommandResults: number;
  readonly refused: number;
  readonly ignored: number;
  readonly repeated: number;
}

/** What messages became, for people. */
export function outcomeLines(messages: Outcomes): string[] {
  return [
    `  menjadi pembacaan / became readings                           ${messages.becameReadings}`,
    `  menjadi tanda hidup, status, kejadian / became signals        ${messages.becameSignals}`,
    `  menjadi hasil perintah / became results of commands           ${messages.becameCommandResults}`,
    `  ditolak / refused                                             ${messages.refused}`,
    `  tanpa isi yang disimpan / nothing to keep                     ${messages.ignored}`,
    `  kiriman ulang / sent again                                    ${messages.repeated}`,
  ];
}

interface Values {
  readonly decoded: number;
  readonly distinct: number;
  readonly replaced: number;
  readonly byFlag: Readonly<Record<QualityFlag, number>>;
}

/** What there is of values, for people. */
export function valueLines(values: Values): string[] {
  const { byFlag } = values;
  return [
    `nilai / values                                                  ${values.decoded}`,
    `  berbeda / distinct                                            ${values.distinct}`,
    `    lulus / pass ${byFlag[1]}, tidak dinilai / not evaluated ${byFlag[2]}, meragukan / suspect ${byFlag[3]}, gagal / fail ${byFlag[4]}`,
    `  menggantikan yang sama / replaced an equal one                ${values.replaced}`,
  ];
}
