/** Whether a text may be the id of a device or a site. */
export const isId = (text: string): boolean => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);

/** Whether a text may be the name with which somebody signs in. */
export const isUserName = (text: string): boolean => /^[a-z0-9][a-z0-9.-]{0,62}$/.test(text);
