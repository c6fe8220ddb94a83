import { threshold } from './threshold/index.js';

/** Every kind of rule, under the name that `kind` has in `rules.yaml`. A new one is a folder here and a line. */
export const RULE_KINDS = {
  threshold,
};
