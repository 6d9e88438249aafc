export async function nap({}: {}): Promise<{}> {
  await sleep(1);
  return {};
}
