// A record's proof, followed in the browser: from the hash of its entry to the root that the checkpoint signs (RFC 9162, 2.1.3.2).

/** What a proof file says: `{ index, hashes, name, size, root, checkpoint }`. */
export function parseProof(text) {
  const gap = text.indexOf("\n\n");
  const [form, indexLine, ...hashes] = text.slice(0, gap).split("\n");
  if (gap < 0 || form !== "c2sp.org/tlog-proof@v1" || !/^index \d+$/.test(indexLine ?? "")) throw new Error("this is no tlog-proof");
  const checkpoint = text.slice(gap + 2);
  const [name, size, root] = checkpoint.split("\n");
  return { index: Number(indexLine.slice(6)), hashes: hashes.map(bytes), name, size: Number(size), root, checkpoint };
}

/** Whether the entry with this hash (hexadecimal) is the one at the proof's place in a tree with the checkpoint's root. */
export async function leadsToRoot(proof, entryHash) {
  if (!globalThis.crypto?.subtle) throw new Error("the browser computes hashes on https or this machine's address only");
  if (proof.index >= proof.size) return false;
  let [place, last] = [proof.index, proof.size - 1];
  let hash = Uint8Array.from(entryHash.match(/../g), (pair) => parseInt(pair, 16));
  for (const sibling of proof.hashes) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = await node(sibling, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      hash = await node(hash, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && btoa(String.fromCharCode(...hash)) === proof.root;
}

const half = (n) => Math.floor(n / 2);
const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

async function node(left, right) {
  const joined = new Uint8Array(65);
  joined[0] = 1;
  joined.set(left, 1);
  joined.set(right, 33);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}
