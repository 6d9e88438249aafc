interface Entry { id: string; title: string; link: string }
interface JsonFeed { items: { id: string; title?: string; url?: string }[] }

/** The entries that nobody was told of yet, the oldest first. */
export async function fresh({ feed }: { feed: string | JsonFeed }): Promise<{ entries: Entry[] }> {
    const entries = (typeof feed === "string" ? ofRss(feed) : ofJson(feed)).filter((entry) => entry.id);
    const seen = new Set((await state.list("seen/")).map(({ key }) => key));
    if (!(await state.get("started"))) {
        for (const entry of entries) await state.put(`seen/${entry.id}`, true);
        await state.put("started", true);
        return { entries: [] };
    }
    return { entries: entries.filter((entry) => !seen.has(`seen/${entry.id}`)).reverse() };
}

function ofJson(feed: JsonFeed): Entry[] {
    return feed.items.map(({ id, title, url }) => ({ id, title: title ?? id, link: url ?? id }));
}

function ofRss(xml: string): Entry[] {
    return [...xml.matchAll(/<item[ >][\s\S]*?<\/item>/g)].map(([item]) => {
        const link = text(item, "link");
        return { id: text(item, "guid") || link, title: text(item, "title") || link, link };
    });
}

function text(item: string, name: string): string {
    const found = new RegExp(`<${name}[^>]*>(?:<!\\[CDATA\\[)?([\\s\\S]*?)(?:\\]\\]>)?</${name}>`).exec(item);
    return (found?.[1] ?? "").trim().replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&");
}
