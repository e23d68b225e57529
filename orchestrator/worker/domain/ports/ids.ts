/** Ids are `<prefix>_` and 26 characters that sort by time; tokens are 256 bits of chance as base64url. */
export type Ids = { next(prefix: string): string; token(): string };
