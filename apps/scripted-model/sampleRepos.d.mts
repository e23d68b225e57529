/** Writes the small project of the `edit` scenario. */
export function makeRepo(folder: string): void;

/** Writes the project of the `fix` scenario: one of its tests fails. */
export function makeFailingRepo(folder: string): void;
