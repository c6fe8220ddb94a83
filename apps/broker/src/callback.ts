/** Told once that a message is dealt with, or why not. As Aedes has it. */
export type Callback = (error?: Error | null) => void;
