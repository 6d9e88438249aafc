interface Load { one: number; five: number; fifteen: number; problem: string }
interface Memory { total_mb: number; used_mb: number; available_mb: number; problem: string }

/** load.txt and memory.txt, as two crontab lines on the web server write them every minute. */
export async function machine({ loadUrl, memoryUrl }: { loadUrl?: string; memoryUrl?: string }): Promise<{ load: Load | null; memory: Memory | null }> {
    const [load, memory] = await Promise.all([
        loadUrl ? fetched(loadUrl).then(parseLoad, (e: Error) => ({ one: 0, five: 0, fifteen: 0, problem: e.message })) : null,
        memoryUrl ? fetched(memoryUrl).then(parseMemory, (e: Error) => ({ total_mb: 0, used_mb: 0, available_mb: 0, problem: e.message })) : null,
    ]);
    return { load, memory };
}

async function fetched(url: string): Promise<string> {
    const answer = await http.request({ url, timeout: 4000 });
    if (answer.status !== 200) throw new Error(`answers with status ${answer.status}`);
    return String(answer.body);
}

/** "0.42 0.36 0.30 1/234 5678": what `cat /proc/loadavg` prints. */
function parseLoad(text: string): Load {
    const [one, five, fifteen] = text.trim().split(/\s+/).map(Number);
    if (![one, five, fifteen].every(Number.isFinite)) throw new Error("does not look like /proc/loadavg");
    return { one, five, fifteen, problem: "" };
}

/** "Mem: 7963 3120 412 201 4430 4361": total, used, free, shared, buffers and cache, available; what `free -m | grep Mem` prints. */
function parseMemory(text: string): Memory {
    const [total, used, , , , available] = text.replace(/^\s*Mem:/, "").trim().split(/\s+/).map(Number);
    if (![total, used, available].every(Number.isFinite)) throw new Error("does not look like what `free -m` prints");
    return { total_mb: total, used_mb: used, available_mb: available, problem: "" };
}
