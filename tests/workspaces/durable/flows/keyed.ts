export async function keyed({peer}: {peer: string}): Promise<{}> {
  await http.request({method: "PUT", url: peer, idempotencyKey: true});
  return {};
}
