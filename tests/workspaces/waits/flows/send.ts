export async function send({ peer, who }: { peer: string; who: string }) {
    await http.request({ method: "POST", url: peer, body: `${who} ${flows.link("go")}` });
}
