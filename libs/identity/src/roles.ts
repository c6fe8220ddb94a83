export const ROLES = ['admin', 'operator', 'evaluator'] as const;
export type Role = (typeof ROLES)[number];
/** Roles that may act on devices; the others read. */
export const ROLES_THAT_OPERATE = ['admin', 'operator'] as const satisfies readonly Role[];

/** Who a request comes from. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}
