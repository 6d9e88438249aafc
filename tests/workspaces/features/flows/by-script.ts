export async function byScript({n}: {n: number}): Promise<{half: number; message: string; child: string}> {
    const {half} = await flows.call("halve", {n});
    const message = await flows.call("halve", {n: n + 1}).catch((error: any) => `${error.code}: ${error.message}`);
    const {run} = await flows.start("child", {id: `script ${n}`});
    return {half, message: String(message), child: run};
}
