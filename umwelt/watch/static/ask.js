// Questions to the server, which only answers.

// The server is there, and says why it cannot tell.
export class Refusal extends Error {}

export async function ask(what, parameters = {}) {
  const address = new URL(`/data/${what}`, location.origin);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  const response = await fetch(address, { cache: "no-store" });
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(told.error ?? `the server answered ${response.status}`);
  return told;
}
