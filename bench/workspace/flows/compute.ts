interface Found {
    sorted: number;
    words: number;
    found: number;
    json: number;
    hash: number;
}

export function compute({seed}: {seed: number}): {result: Found} {
    let state = seed;
    const next = () => (state = (state * 75 + 74) % 65537);
    const list = Array.from({length: 500}, (_, id) => ({id, key: next(), name: `item ${next()} of ${id}`}));
    const sorted = [...list].sort((a, b) => a.key - b.key || a.id - b.id);
    const words = new Map<string, number>();
    for (const item of sorted) for (const word of item.name.split(" ")) words.set(word, (words.get(word) ?? 0) + 1);
    const found = list.filter((item) => /^item (\d*)7 of \d+$/.test(item.name)).map((item) => item.name.replace(/\d+/g, (n) => n.padStart(6, "0")));
    const copied = JSON.parse(JSON.stringify({sorted, found}));
    let hash = 17;
    for (let i = 0; i < 20000; i++) hash = (Math.imul(hash, 31) + i) | 0;
    return {result: {sorted: sorted[0].id, words: words.size, found: found.length, json: copied.sorted.length + copied.found.join().length, hash}};
}
