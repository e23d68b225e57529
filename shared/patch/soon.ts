/** What is there, or will be. A promise for each file of a set costs more than the edit of most files. */
export type Soon<T> = T | Promise<T>;

/** Promises of another realm or of RPC count too. */
export function isPending<T extends object | string | undefined>(
  value: Soon<T>,
): value is Promise<T> {
  return typeof value === "object" && "then" in value;
}

export function whenThere<T extends object | string | undefined, R>(
  value: Soon<T>,
  next: (value: T) => Soon<R>,
): Soon<R> {
  return isPending(value) ? value.then(next) : next(value);
}
