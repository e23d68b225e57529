/** Whoever closes the terminal, or reads the first lines alone, ends the story and not the tidying up. */
export function outliveReader(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
