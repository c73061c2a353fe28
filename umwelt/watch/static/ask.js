// Questions to the server.

// The server answers, and says why it has no data.
export class Refusal extends Error {}

export async function ask(what, parameters = {}) {
  const address = new URL(`/data/${what}`, location.origin);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  const response = await fetch(address, { cache: "no-store" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(answer.error ?? `the server answered ${response.status}`);
  return answer;
}
