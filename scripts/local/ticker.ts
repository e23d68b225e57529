const tickEveryMs = 30_000;

/** Cron does not tick under `wrangler dev`, so its handler is called from here: at once, and every 30 s. */
export function startTicking(url: string): () => void {
  const tick = async () => {
    try {
      const response = await fetch(`${url}/cdn-cgi/handler/scheduled?cron=*/1+*+*+*+*`, {
        signal: AbortSignal.timeout(10_000),
      });
      await response.body?.cancel();
    } catch {
      // The worker is being started again; the next tick finds it.
    }
  };
  void tick();
  const timer = setInterval(() => void tick(), tickEveryMs);
  return () => clearInterval(timer);
}
