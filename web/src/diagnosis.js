/**
 * Why nothing of ours comes from an address, in words: browsers say "websocket error" and "Failed to fetch" to everything.
 *
 * @param {string} url  the server, as the provider was given it
 * @returns {Promise<string>}
 */
export async function explain(url) {
  const live = `${url.replace(/\/+$/, '')}/health/live`;
  const origin = globalThis.location?.origin;
  try {
    const answer = await fetch(live, { cache: 'no-store' });
    if (answer.ok && 'status' in (await answer.json())) return 'Live updates do not get through. We go on trying.';
    return `${url} answers, but not like a bmn server. Is the address right?`;
  } catch (error) {
    if (error instanceof SyntaxError) return `${url} answers, but not like a bmn server. Is the address right?`;
  }
  try {
    await fetch(live, { mode: 'no-cors', cache: 'no-store' });
    return `The server at ${url} does not let pages from ${origin} in: add ${origin} to its CORS_ORIGINS.`;
  } catch {
    return `Nothing answers at ${url}. Is the address right, and does the server run?`;
  }
}

/**
 * The address of a server without what an address does not need.
 *
 * @param {string} url
 * @throws {TypeError} where it is none
 */
export function checkedAddress(url) {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new TypeError(
      `<BmnProvider url> has to be the server's address, such as https://api.example.com, not ${JSON.stringify(url)}.`,
    );
  }
  return url.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
}
