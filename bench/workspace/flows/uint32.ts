export function uint32({seed}: {seed: number}): {hash: number} {
    let hash = seed >>> 0;
    for (let i = 0; i < 1e6; i++) hash = ((hash << 5) ^ (hash >>> 27) ^ i) >>> 0;
    return {hash};
}
