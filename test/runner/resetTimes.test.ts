import { describe, expect, it } from "vitest";
import { resetAtOf } from "../../apps/agent-runner/agents/resetTimes.ts";

const now = new Date(2026, 10, 21, 14, 30);
const nowMs = now.getTime();
const minuteMs = 60_000;

describe("when a provider takes work again", () => {
  it.each([
    ["Rate limit reached. Please try again in 1.2s.", 1200],
    ["[API Error: rate limit reached\nSuggested retry after 2s.]", 2000],
    ["Your quota will reset after 21h10m5s.", 21 * 60 * minuteMs + 10 * minuteMs + 5000],
    ["Try again in 5 days 3 hours and 2 minutes.", (5 * 24 * 60 + 3 * 60 + 2) * minuteMs],
    ['{"error":{"details":[{"retryDelay":"7.5s"}]}}', 7500],
    ["429 Too Many Requests, retry-after: 20", 20_000],
  ])("is counted from now: %s", (text, ms) => {
    expect(resetAtOf(text, nowMs)).toBe(nowMs + ms);
  });

  it.each([
    ["You've hit your usage limit, or try again at 3:45 PM.", new Date(2026, 10, 21, 15, 45)],
    ["You've hit your usage limit, or try again at 9:05 AM.", new Date(2026, 10, 22, 9, 5)],
    ["Upgrade or try again at Nov 25th, 2026 3:45 PM.", new Date(2026, 10, 25, 15, 45)],
    ["It resets at 2026-11-22T10:00:00Z", new Date(Date.UTC(2026, 10, 22, 10))],
    ["Claude AI usage limit reached|1795345200", new Date(1_795_345_200_000)],
  ])("is a time: %s", (text, time) => {
    expect(resetAtOf(text, nowMs)).toBe(time.getTime());
  });

  it.each([
    "exceeded retry limit, last status: 429 Too Many Requests",
    "retried 5 times (total retry wait time: 10.95 seconds) Last error: 429",
    "You have exhausted your daily quota. Please wait and try again later.",
  ])("is not told: %s", (text) => {
    expect(resetAtOf(text, nowMs)).toBe(null);
  });
});
