declare const FORM: unique symbol;

/**
 * A stored list whose places have a meaning each. It has no places here: the `*-form` file that owns it alone knows them, and
 * gives what stands there a name.
 */
export interface Row<Form extends string> {
  readonly [FORM]: Form;
}
