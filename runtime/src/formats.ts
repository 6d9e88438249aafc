// The formats that a schema may name (JSON Schema 2020-12, validation, 7.3), as tests of a text.

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** RFC 3339, full-date. */
function isDate(text: string): boolean {
    const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
    if (!parts) return false;
    const [year, month, day] = parts.slice(1).map(Number);
    const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    return month >= 1 && month <= 12 && day >= 1 && day <= DAYS[month - 1] && (month !== 2 || day < 29 || isLeap);
}

/** RFC 3339, full-time; a leap second comes at the end of a day in UTC. */
function isTime(text: string): boolean {
    const parts = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|([+-])(\d\d):(\d\d))$/i.exec(text);
    if (!parts) return false;
    const [hour, minute, second] = parts.slice(1, 4).map(Number);
    const zoneHour = Number(parts[5] ?? 0);
    const zoneMinute = Number(parts[6] ?? 0);
    if (hour > 23 || minute > 59 || second > 60 || zoneHour > 23 || zoneMinute > 59) return false;
    const offset = (zoneHour * 60 + zoneMinute) * (parts[4] === "-" ? -1 : 1);
    return second < 60 || (hour * 60 + minute - offset + 2880) % 1440 === 1439;
}

function isDateTime(text: string): boolean {
    const [date, time, ...more] = text.split(/t|\s/i);
    return more.length === 0 && isDate(date) && isTime(time ?? "");
}

const isIpv4 = (text: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);

/** RFC 4291, 2.2. */
function isIpv6(text: string): boolean {
    const last = text.slice(text.lastIndexOf(":") + 1);
    if (last.includes(".") && !isIpv4(last)) return false;
    const whole = last.includes(".") ? `${text.slice(0, -last.length)}0:0` : text;
    const halves = whole.split("::");
    const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
    if (halves.length > 2 || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
    return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

const matches = (pattern: RegExp) => (text: string): boolean => pattern.test(text);
const REFERENCE = /^(?:[a-z0-9\-._~:/?#@!$&'()*+,;=[\]]|%[\da-f]{2})*$/i;

export const FORMATS: Record<string, (text: string) => boolean> = {
    date: isDate,
    time: isTime,
    "date-time": isDateTime,
    duration: matches(/^P(?!$)(?:(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?|\d+W)$/),
    // What a browser takes (HTML, valid e-mail address), with a dot in the domain.
    email: matches(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i),
    hostname: (text) => text.length <= 253 && /^(?!-)(?:[a-z0-9-]{0,62}[a-z0-9](?:\.(?!-|$)|$))+$/i.test(text),
    ipv4: isIpv4,
    ipv6: isIpv6,
    uri: (text) => /^[a-z][a-z0-9+.-]*:./i.test(text) && REFERENCE.test(text),
    "uri-reference": matches(REFERENCE),
    password: () => true, // for forms: not shown while it is typed
    uuid: matches(/^(?:urn:uuid:)?[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i),
};
