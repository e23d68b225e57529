/** One JSON line an entry, on stderr. Whoever writes one leaves out, or has redacted, what is secret. */
export type Log = (entry: { at: string; [field: string]: unknown }) => void;

export const stderrLog: Log = (entry) => {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
};
