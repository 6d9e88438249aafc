import type { Activation } from "../activation.ts";

type Log = (...values: unknown[]) => void;

export function logOf(a: Activation): Record<"info" | "warn" | "error", Log> {
    const level = (name: string): Log => (...values) => a.run.log(a, name, values.map(textOf).join(" "));
    return { info: level("info"), warn: level("warn"), error: level("error") };
}

export function consoleOf(a: Activation): Record<"log" | "info" | "debug" | "warn" | "error", Log> {
    const log = logOf(a);
    return { log: log.info, info: log.info, debug: log.info, warn: log.warn, error: log.error };
}

function textOf(value: unknown): string {
    if (typeof value === "string") return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    try {
        return JSON.stringify(value) ?? String(value);
    } catch {
        return String(value);
    }
}
