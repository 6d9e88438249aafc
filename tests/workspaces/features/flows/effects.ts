export async function effects({id}: {id: string}): Promise<{}> {
    for (let step = 3; step <= 6; step++) await http.request({method: "POST", url: "http://peer.example/step", body: {id, step}});
    return {};
}
