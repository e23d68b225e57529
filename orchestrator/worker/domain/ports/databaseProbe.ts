/** Whether the database answers and has its tables. It never throws. */
export type DatabaseProbe = { isReachable(): Promise<boolean> };
