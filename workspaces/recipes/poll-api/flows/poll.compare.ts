interface Change { kind: "new" | "changed"; key: string; digest: string; item: { id: string | number } }

/** Which items are not as they were when they were last posted. */
export async function compare({ items }: { items: { id: string | number }[] }): Promise<{ changes: Change[] }> {
    const known = new Map((await state.list("item/")).map(({ key, value }) => [key, value]));
    const changes: Change[] = [];
    for (const item of items) {
        const key = `item/${item.id}`;
        const digest = await digestOf(item);
        if (known.get(key) !== digest) changes.push({ kind: known.has(key) ? "changed" : "new", key, digest, item });
    }
    log.info(`${items.length} items, ${changes.length} to post`);
    return { changes };
}

async function digestOf(value: unknown): Promise<string> {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
    return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
