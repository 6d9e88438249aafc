// What node believes of time zones (its ICU's data, which may be older than the system's), as spans of one offset each;
// and a faster Intl.DateTimeFormat for croner, which answers from these. Times are seconds since 1970.
const Real = Intl.DateTimeFormat;
const OPTIONS = {year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hour12: false};
const WEEK = 7 * 86400, YEAR = 366 * 86400;
const tables = new Map();

// Whole years beyond what is compared, since croner looks ahead.
export function learn(zone, from, to) {
    const real = new Real("en-US", {...OPTIONS, timeZone: zone});
    const offset = at => {
        const p = Object.fromEntries(real.formatToParts(at * 1000).map(({type, value}) => [type, Number(value)]));
        return Date.UTC(p.year, p.month - 1, p.day, p.hour % 24, p.minute, p.second) / 1000 - at;
    };
    from -= YEAR;
    to += YEAR;
    const spans = [{at: from, offset: offset(from)}];
    for (let low = from; low < to; low += WEEK) {
        let high = low + WEEK, before = offset(low);
        if (offset(high) === before)
            continue;
        for (let a = low; high - a > 1;) {
            const middle = Math.floor((a + high) / 2);
            if (offset(middle) === before)
                a = middle;
            else
                high = middle;
        }
        spans.push({at: high, offset: offset(high)});
    }
    tables.set(zone, {spans, from, to});
    return spans;
}

export function isKnown(zone) {
    try {
        return new Real("en-US", {timeZone: zone}) !== null;
    } catch {
        return false;
    }
}

export function offsetAt(spans, at) {
    let low = 0, high = spans.length;
    while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (spans[middle].at <= at)
            low = middle;
        else
            high = middle;
    }
    return spans[low].offset;
}

class Fast {
    constructor(locale, options) {
        this.real = new Real(locale, options);
        this.zone = options?.timeZone;
        const asCroner = Object.entries(OPTIONS).every(([key, value]) => options?.[key] === value);
        this.parts = asCroner && this.real.formatToParts(0);
    }

    formatToParts(date) {
        const table = tables.get(this.zone), at = Math.floor(Number(date) / 1000);
        if (!table || !this.parts || at < table.from || at >= table.to)
            return this.real.formatToParts(date);
        const local = new Date((at + offsetAt(table.spans, at)) * 1000);
        const values = {year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate(),
                        hour: two(local.getUTCHours() || 24), minute: two(local.getUTCMinutes()), second: two(local.getUTCSeconds())};
        return this.parts.map(({type, value}) => ({type, value: type in values ? String(values[type]) : value}));
    }

    format(date) {
        return this.real.format(date);
    }

    resolvedOptions() {
        return this.real.resolvedOptions();
    }
}
const two = n => String(n).padStart(2, "0");

export function useTables() {
    Intl.DateTimeFormat = Fast;
}

// Says where the fast one answers otherwise than node's own; null: nowhere that was looked at.
export function firstLie(zone, from, to, times) {
    const options = {...OPTIONS, timeZone: zone}, real = new Real("en-US", options), fast = new Fast("en-US", options);
    for (let i = 0; i < times; i++) {
        const at = (from + Math.floor(Math.random() * (to - from))) * 1000;
        if (JSON.stringify(real.formatToParts(at)) !== JSON.stringify(fast.formatToParts(at)))
            return new Date(at).toISOString();
    }
    return null;
}
