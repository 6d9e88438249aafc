// What the scripts in bench/workspace do, for the peers.

exports.transform = function ({ orders }) {
    const lines = orders.filter((o) => o.paid).map((o) => ({ id: o.id, country: o.country, total: o.quantity * o.price }));
    const countries = {};
    for (const line of lines) countries[line.country] = (countries[line.country] ?? 0) + line.total;
    const total = lines.reduce((sum, line) => sum + line.total, 0);
    const top = [...lines].sort((a, b) => b.total - a.total).slice(0, 5);
    return { count: lines.length, total, countries, top };
};

exports.compute = function ({ seed }) {
    let state = seed;
    const next = () => (state = (state * 75 + 74) % 65537);
    const list = Array.from({ length: 500 }, (_, id) => ({ id, key: next(), name: `item ${next()} of ${id}` }));
    const sorted = [...list].sort((a, b) => a.key - b.key || a.id - b.id);
    const words = new Map();
    for (const item of sorted) for (const word of item.name.split(" ")) words.set(word, (words.get(word) ?? 0) + 1);
    const found = list.filter((item) => /^item (\d*)7 of \d+$/.test(item.name)).map((item) => item.name.replace(/\d+/g, (n) => n.padStart(6, "0")));
    const copied = JSON.parse(JSON.stringify({ sorted, found }));
    let hash = 17;
    for (let i = 0; i < 20000; i++) hash = (Math.imul(hash, 31) + i) | 0;
    return { sorted: sorted[0].id, words: words.size, found: found.length, json: copied.sorted.length + copied.found.join().length, hash };
};

exports.uint32 = function ({ seed }) {
    let hash = seed >>> 0;
    for (let i = 0; i < 1e6; i++) hash = ((hash << 5) ^ (hash >>> 27) ^ i) >>> 0;
    return { hash };
};

exports.turn = ({ n }) => ({ value: n * 2 });
