export async function greet({name}: {name: string}): Promise<{message: string}> {
  return {message: `Hello ${name}`};
}
