interface Note { topic: string; text: string }

/** What there is, by topic, in the order in which it came. */
export async function collect(): Promise<{ keys: string[]; topics: string[]; text: string }> {
    const notes = await state.list("note/");
    const byTopic = new Map<string, string[]>();
    for (const { value } of notes) {
        const { topic, text } = value as Note;
        byTopic.set(topic, [...(byTopic.get(topic) ?? []), `- ${text}`]);
    }
    const parts = [...byTopic].map(([topic, lines]) => `${topic}\n${lines.join("\n")}`);
    return { keys: notes.map(({ key }) => key), topics: [...byTopic.keys()], text: parts.join("\n\n") };
}
