// Whether and when a failed block is tried again (docs/internals.md, section 2, `retry`).

import type { Fault } from "./fault.ts";
import type { Retry } from "./plan.ts";

/** A service that asks for more than this is not waited for any longer. */
const ASKED_FOR_MAX_MS = 3_600_000;

export function mayRetry(retry: Retry, fault: Fault): boolean {
    return retry.on ? retry.on.includes(fault.code) : fault.retry === true;
}

/** attempt: the one that failed, from 1. What the service itself asked for goes before the policy. */
export function retryDelay(retry: Retry, attempt: number, fault: Fault): number {
    const { delay_ms = 1000, factor = 2, max_delay_ms = 60_000 } = retry;
    if (fault.retry_after_ms !== undefined && fault.retry_after_ms >= 0) return Math.min(Math.ceil(fault.retry_after_ms), ASKED_FOR_MAX_MS);
    return Math.round(Math.min(delay_ms * factor ** (attempt - 1), max_delay_ms));
}

/**
 * What an HTTP answer's headers ask for: Retry-After (RFC 9110, 10.2.3: seconds or a date), else
 * ratelimit-reset (seconds, as PagerDuty sends it).
 */
export function retryAfter(headers: Record<string, unknown>, now: number): number | undefined {
    const after = headers["retry-after"];
    if (typeof after === "string") {
        if (/^\s*\d+\s*$/.test(after)) return Number(after) * 1000;
        const date = Date.parse(after);
        if (!Number.isNaN(date)) return Math.max(0, date - now);
    }
    const reset = headers["ratelimit-reset"];
    return typeof reset === "string" && /^\s*\d+(\.\d+)?\s*$/.test(reset) ? Number(reset) * 1000 : undefined;
}

/** Answers after which the same request may succeed later. */
export function statusMayRetry(status: number): boolean {
    return status === 408 || status === 425 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}
