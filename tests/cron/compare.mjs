// Flowlet's due times beside croner's, over the system's time zones and ten years.
//
//     node tests/cron/compare.mjs [--short]     short: of zones whose clocks go alike one
//
// A zone is compared where the system's TZif files and node's ICU, whose data may be older, have the same offsets to UTC.
// Where the two programs' RULES differ, DIFFERENCES tells how; what does not fit one of them fails.
import {spawnSync} from "node:child_process";
import {readdirSync, readFileSync, statSync} from "node:fs";
import {join} from "node:path";
import {isKnown, firstLie, learn, offsetAt, useTables} from "./zones.mjs";

const TOOL = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../build/release/tests/tools/cron_times");
const ZONES = "/usr/share/zoneinfo";
const DAY = 86400;
const FROM = Date.UTC(2026, 0) / 1000, TO = Date.UTC(2036, 0) / 1000;
const short = process.argv.includes("--short");

// kind "every hour": due whenever the clock shows it. "one": one time a day. "several": any other.
// around: compared in the two days around each clock change and in one of each summer; else over all ten years.
const LINES = [
    {line: "0 * * * *", kind: "every hour", around: true},
    {line: "30 * * * *", kind: "every hour", around: true},
    {line: "*/15 * * * *", kind: "every hour", around: true},
    {line: "7,37 * * * *", kind: "every hour", around: true},
    {line: "*/7 * * mar,apr,oct,nov *", kind: "every hour", around: true},
    {line: "20 * * * sun", kind: "every hour", around: true},
    {line: "0 0 * * *", kind: "one", around: true},
    {line: "30 0 * * *", kind: "one"},
    {line: "15 1 * * *", kind: "one", around: true},
    {line: "30 2 * * *", kind: "one"},
    {line: "0 3 * * *", kind: "one"},
    {line: "59 23 * * *", kind: "one", around: true},
    {line: "0 2 * * 0", kind: "one"},
    {line: "30 2 * * sun", kind: "one"},
    {line: "45 1 * * 6,7", kind: "one"},
    {line: "0 0 * * mon-fri", kind: "one", around: true},
    {line: "0 0 13 * 5", kind: "one"},
    {line: "45 23 1-7 * sat", kind: "one"},
    {line: "0 0 1 * *", kind: "one"},
    {line: "0 12 31 * *", kind: "one"},
    {line: "15 1 29 2 *", kind: "one"},
    {line: "30 1 * mar,oct sat-sun", kind: "one"},
    {line: "20 4 1-31/10 * *", kind: "one"},
    {line: "5 0 * 1-12/3 1-5/2", kind: "one"},
    {line: "0 9 1,15 jan-jun *", kind: "one"},
    {line: "*/10 2,3 * * *", kind: "several", around: true},
    {line: "0,30 0-4 * * *", kind: "several", around: true},
    {line: "30 1-4 * * *", kind: "several", around: true},
    {line: "0 */2 * * *", kind: "several", around: true},
    {line: "0 6,18 * * *", kind: "several", around: true},
    {line: "*/20 0-23/3 1,15 * sun", kind: "several", around: true},
];

// Where the rules differ, on purpose. Both give a line of one time a day its run right after a gap, and one run in a fold.
const DIFFERENCES = {
    "one time a day, gap up to midnight": { // America/Nuuk: 22:59, then 00:00
        why: "Flowlet makes up for what the clock leaves out, as after any gap; for croner that day has no run",
        fits: (kind, only, at, change) => kind === "one" && only === "flowlet" && change.jump > 0 && at === change.at && (at + change.offset) % DAY === 0,
    },
    "several times a day, gap": {
        why: "what the clock leaves out, Flowlet makes up for at the first instant after it; croner leaves it out too",
        fits: (kind, only, at, change) => kind === "several" && only === "flowlet" && change.jump > 0 && at === change.at,
    },
    "several times a day, fold": {
        why: "what the clock shows twice is due the first time for Flowlet, both times for croner",
        fits: (kind, only, at, change) => kind === "several" && only === "croner" && change.jump < 0 && at >= change.at && at < change.at - change.jump,
    },
};

useTables();
const {Cron} = await import("croner");

function zoneNames(folder = "") {
    return readdirSync(join(ZONES, folder)).flatMap(entry => {
        const name = join(folder, entry);
        if (["posix", "right", "posixrules", "localtime"].includes(name))
            return [];
        if (statSync(join(ZONES, name)).isDirectory())
            return zoneNames(name);
        return readFileSync(join(ZONES, name)).subarray(0, 4).toString() === "TZif" ? [name] : [];
    }).sort();
}

function ask(questions) {
    const answered = spawnSync(TOOL, {input: questions.map(q => q.join("\t") + "\n").join(""), encoding: "utf8", maxBuffer: 1 << 30});
    if (answered.status !== 0)
        throw new Error(`${TOOL}: ${answered.error ?? answered.stderr}`);
    return answered.stdout.trimEnd().split("\n").map((line, i) => {
        if (line.startsWith("error"))
            throw new Error(`${questions[i].join(" ")}: ${line}`);
        return line.trim().split(" ").filter(Boolean).map(Number);
    });
}

const spansOf = numbers => numbers.flatMap((at, i) => i % 2 ? [] : [{at, offset: numbers[i + 1]}]);

// [from, to) where both have the same offsets, less a day at each side that borders on where they have not.
function agreement(ours, theirs) {
    const borders = [...new Set([FROM, TO, ...ours.map(s => s.at), ...theirs.map(s => s.at)])].filter(at => at >= FROM && at <= TO).sort((a, b) => a - b);
    const ranges = [];
    for (let i = 0; i + 1 < borders.length; i++) {
        const [from, to] = [borders[i], borders[i + 1]];
        if (offsetAt(ours, from) !== offsetAt(theirs, from))
            continue;
        if (ranges.length && ranges.at(-1).to === from)
            ranges.at(-1).to = to;
        else
            ranges.push({from, to});
    }
    return ranges.map(({from, to}) => ({from: from === FROM ? from : from + DAY, to: to === TO ? to : to - DAY})).filter(r => r.from < r.to);
}

function around(ranges, changes) {
    const windows = changes.map(c => ({from: c.at - DAY, to: c.at + DAY}));
    for (let year = 2026; year < 2036; year++)
        windows.push({from: Date.UTC(year, 6, 1) / 1000, to: Date.UTC(year, 6, 2) / 1000});
    return windows.flatMap(w => ranges.map(r => ({from: Math.max(w.from, r.from), to: Math.min(w.to, r.to)}))).filter(r => r.from < r.to);
}

function cronerTimes(line, zone, {from, to}) {
    const cron = new Cron(line, {timezone: zone});
    const found = [];
    for (let at = cron.nextRun(new Date((from - 1) * 1000)); at && at.getTime() < to * 1000; at = cron.nextRun(at))
        found.push(at.getTime() / 1000);
    return found;
}

const seen = {times: 0, zones: 0, ranges: 0, days: 0};
const differed = Object.fromEntries(Object.keys(DIFFERENCES).map(name => [name, 0]));
const wrong = [];

function judge(zone, {line, kind}, only, at, changes) {
    const change = changes.findLast(c => c.at <= at) ?? {at: 0, offset: 0, jump: 0};
    const name = Object.keys(DIFFERENCES).find(n => DIFFERENCES[n].fits(kind, only, at, change));
    if (name)
        differed[name]++;
    else
        wrong.push(`${zone}, ${line}: only ${only} has ${new Date(at * 1000).toISOString()}`);
}

function compare(zone, entry, range, ours, changes) {
    const theirs = cronerTimes(entry.line, zone, range);
    const a = new Set(ours), b = new Set(theirs);
    seen.times += ours.length;
    ours.filter(at => !b.has(at)).forEach(at => judge(zone, entry, "flowlet", at, changes));
    theirs.filter(at => !a.has(at)).forEach(at => judge(zone, entry, "croner", at, changes));
    if (ours.length !== a.size || ours.some((at, i) => i && at <= ours[i - 1]))
        wrong.push(`${zone}, ${entry.line}: Flowlet's times do not ascend`);
}

function compareZone(zone, ours, theirs) {
    const ranges = agreement(ours, theirs);
    const changes = ours.slice(1).map((s, i) => ({at: s.at, offset: s.offset, jump: s.offset - ours[i].offset}));
    const jobs = LINES.flatMap(entry => (entry.around ? around(ranges, changes) : ranges).map(range => ({entry, range})));
    if (!jobs.length)
        return;
    const answers = ask(jobs.map(({entry, range}) => ["times", zone, range.from, range.to, entry.line]));
    jobs.forEach(({entry, range}, i) => compare(zone, entry, range, answers[i], changes));
    seen.zones++;
    seen.days += ranges.reduce((sum, r) => sum + (r.to - r.from) / DAY, 0);
}

const names = zoneNames();
const unknown = names.filter(zone => !isKnown(zone));
const known = names.filter(isKnown);
const spans = ask(known.map(zone => ["spans", zone, FROM, TO])).map(spansOf);
const alike = new Set(), elsewhere = [], skipped = [];
known.forEach((zone, i) => {
    const theirs = learn(zone, FROM, TO), ours = spans[i];
    const lie = firstLie(zone, FROM, TO, 50);
    if (lie)
        wrong.push(`the table of ${zone} is wrong at ${lie}`);
    const here = theirs.filter((s, k) => s.at < TO && (theirs[k + 1]?.at ?? TO) > FROM).map(s => ({at: Math.max(s.at, FROM), offset: s.offset}));
    if (JSON.stringify(here) !== JSON.stringify(ours))
        elsewhere.push(zone);
    const key = JSON.stringify([ours, here]);
    if (short && alike.has(key))
        skipped.push(zone);
    else
        compareZone(zone, ours, theirs);
    alike.add(key);
});

console.log(`system's tzdata ${readFileSync(join(ZONES, "tzdata.zi"), "utf8").slice(0, 15).replace("# version ", "").trim()}, node's ${process.versions.tz}: ${names.length} zones`);
console.log(`  compared       ${seen.zones} zones, ${LINES.length} lines, ${seen.times} due times, ${Math.round(seen.days)} of ${seen.zones * Math.round((TO - FROM) / DAY)} days`);
if (short)
    console.log(`  not compared   ${skipped.length} whose clocks go like another's: without --short they are`);
console.log(`  other offsets  ${elsewhere.length} zones, compared where they agree: ${elsewhere.join(" ")}`);
console.log(`  node has none  ${unknown.join(" ") || "of them missing"}`);
for (const [name, count] of Object.entries(differed)) {
    console.log(`  ${String(count).padStart(6)} times      ${name}: ${DIFFERENCES[name].why}`);
    if (!count)
        wrong.push(`no ${name} came up: take it off the list`);
}
if (seen.zones < 60)
    wrong.push("fewer than 60 zones were compared");
wrong.slice(0, 40).forEach(text => console.log(`WRONG ${text}`));
console.log(wrong.length ? `cron: ${wrong.length} wrong` : "cron: Flowlet and croner agree");
process.exit(wrong.length ? 1 : 0);
