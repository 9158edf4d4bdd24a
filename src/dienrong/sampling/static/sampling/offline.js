// Checks of a public draw, by docs/algorithms/public_draw.md. No network, no crypto.subtle: a page opened from
// a file may have neither. SHA-256 is FIPS 180-4, BLAKE2b is RFC 7693.
"use strict";
(function () {
  const MASK = (1n << 64n) - 1n;

  function primes(count) {
    const found = [];
    for (let n = 2; found.length < count; n += 1) if (found.every((p) => n % p)) found.push(n);
    return found;
  }

  // First bits of the fractional part of a root, in whole numbers: floor(root(p * 2^(bits * degree))) mod 2^bits.
  function rootBits(p, degree, bits) {
    const power = BigInt(degree), target = BigInt(p) << BigInt(bits * degree);
    let low = 0n, high = 1n << BigInt(bits + 8);
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** power <= target) low = middle; else high = middle;
    }
    return low & ((1n << BigInt(bits)) - 1n);
  }

  const K = primes(64).map((p) => Number(rootBits(p, 3, 32)));
  const H = primes(8).map((p) => Number(rootBits(p, 2, 32)));
  const IV = primes(8).map((p) => rootBits(p, 2, 64));

  function sha256(text) {
    const bytes = new TextEncoder().encode(text);
    const blocks = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
    blocks.set(bytes);
    blocks[bytes.length] = 0x80;
    const view = new DataView(blocks.buffer);
    view.setUint32(blocks.length - 8, Math.floor(bytes.length / 0x20000000));
    view.setUint32(blocks.length - 4, (bytes.length << 3) >>> 0);
    const state = H.slice(), w = new Int32Array(64);
    const turn = (x, n) => (x >>> n) | (x << (32 - n));
    for (let start = 0; start < blocks.length; start += 64) {
      for (let i = 0; i < 64; i += 1) {
        if (i < 16) { w[i] = view.getInt32(start + 4 * i); continue; }
        const a = w[i - 15], b = w[i - 2];
        const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3), s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
        w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i += 1) {
        const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
    }
    return state.map((value) => (value >>> 0).toString(16).padStart(8, "0")).join("");
  }

  const SIGMA = [
    "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
    "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
  ];

  function blake2bStart(text, person) {
    const bytes = new TextEncoder().encode(text), name = new Uint8Array(16);
    name.set(new TextEncoder().encode(person));
    const word = (array, at) => {
      let value = 0n;
      for (let i = 7; i >= 0; i -= 1) value = (value << 8n) | BigInt(array[at + i] || 0);
      return value;
    };
    const h = IV.slice();
    h[0] ^= 0x01010000n ^ 16n;
    h[6] ^= word(name, 0);
    h[7] ^= word(name, 8);
    const count = Math.max(1, Math.ceil(bytes.length / 128));
    for (let block = 0; block < count; block += 1) {
      const isLast = block === count - 1;
      const done = BigInt(isLast ? bytes.length : (block + 1) * 128);
      const m = Array.from({ length: 16 }, (_, i) => word(bytes, block * 128 + 8 * i));
      const v = h.concat(IV);
      v[12] ^= done;
      if (isLast) v[14] ^= MASK;
      const turn = (x, n) => ((x >> n) | (x << (64n - n))) & MASK;
      const mix = (a, b, c, d, x, y) => {
        v[a] = (v[a] + v[b] + x) & MASK; v[d] = turn(v[d] ^ v[a], 32n);
        v[c] = (v[c] + v[d]) & MASK; v[b] = turn(v[b] ^ v[c], 24n);
        v[a] = (v[a] + v[b] + y) & MASK; v[d] = turn(v[d] ^ v[a], 16n);
        v[c] = (v[c] + v[d]) & MASK; v[b] = turn(v[b] ^ v[c], 63n);
      };
      for (let round = 0; round < 12; round += 1) {
        const s = Array.from(SIGMA[round % 10], (digit) => m[parseInt(digit, 16)]);
        mix(0, 4, 8, 12, s[0], s[1]); mix(1, 5, 9, 13, s[2], s[3]);
        mix(2, 6, 10, 14, s[4], s[5]); mix(3, 7, 11, 15, s[6], s[7]);
        mix(0, 5, 10, 15, s[8], s[9]); mix(1, 6, 11, 12, s[10], s[11]);
        mix(2, 7, 8, 13, s[12], s[13]); mix(3, 4, 9, 14, s[14], s[15]);
      }
      for (let i = 0; i < 8; i += 1) h[i] ^= v[i] ^ v[i + 8];
    }
    return h[0];
  }

  const content = JSON.parse(document.getElementById("content").textContent);
  const record = JSON.parse(content.record_text);
  const same = (a, b) => {
    if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
  };

  function seedOf(commitment, text) {
    const hash = sha256("lsakit.public_seed/1\n" + commitment + "\n" + text);
    return BigInt("0x" + hash.slice(0, 32)).toString();
  }

  function startOf(seed, label) {
    const numerator = (blake2bStart(seed + "\x1fdraw_schools\x1f" + label, "lsakit.stream") >> 11n) + 1n;
    return Number(numerator) / 2 ** 53;
  }

  function outcomes() {
    const committed = JSON.parse(content.commitment_text);
    const lines = content.sample_text.trim().split("\n").map((line) => JSON.parse(line));
    const texts = (cell) => (cell === null ? null : String(cell));
    const rows = record.sample.rows.map((row) => row.map(texts));
    rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    const listed = lines.slice(1);
    const order = record.sample.columns.map((name) => lines[0].indexOf(name));
    const number = (cell) => (cell !== null && cell !== "" && !Number.isNaN(Number(cell)) ? Number(cell) : cell);
    const equal = (a, b) => a === b || number(a) === number(b);
    return {
      commitment: "sha256:" + sha256(content.commitment_text) === record.commitment
        && committed.frame === record.frame.hash,
      design: same(committed.design, record.design),
      seed: seedOf(record.commitment, record.source.text) === record.seed,
      starts: record.strata.every(
        (row) => row.random_number === null || row.random_number === startOf(record.seed, row.stratum)),
      sample: "sha256:" + sha256(content.sample_text) === record.result_hash
        && listed.length === rows.length
        && listed.every((line, i) => order.every((at, column) => equal(line[at], rows[i][column]))),
    };
  }

  function cell(row, value) {
    const td = document.createElement("td");
    td.textContent = value === null || value === undefined ? "–" : String(value);
    row.appendChild(td);
  }

  function fill(id, rows) {
    const body = document.querySelector("#" + id + " tbody");
    for (const values of rows) {
      const row = document.createElement("tr");
      for (const value of values) cell(row, value);
      body.appendChild(row);
    }
  }

  const found = outcomes();
  const list = document.getElementById("checks");
  for (const [name, isGood] of Object.entries(found)) {
    const mark = document.createElement("b");
    mark.className = isGood ? "good" : "bad";
    mark.textContent = (isGood ? "✓ " : "✗ ") + (isGood ? list.dataset.good : list.dataset.bad);
    list.querySelector('[data-check="' + name + '"]').appendChild(mark);
  }
  const isGood = Object.values(found).every(Boolean);
  const outcome = document.getElementById("outcome");
  outcome.className = isGood ? "good" : "bad";
  outcome.textContent = isGood ? "✓ " + list.dataset.all : "✗ " + list.dataset.some;
  outcome.dataset.outcome = isGood ? "good" : "bad";
  fill("strata", record.strata.map((row) => [
    row.stratum, row.n_frame, row.n_drawn, row.interval, row.random_number, startOf(record.seed, row.stratum)]));
  const titled = (code) => (code === null ? null : code + (content.names[code] ? " " + content.names[code] : ""));
  const at = Object.fromEntries(record.sample.columns.map((name, i) => [name, i]));
  fill("sample", record.sample.rows.map((row) => [
    row[at.school_id], content.names[row[at.school_id]], row[at.stratum], row[at.probability], row[at.base_weight],
    titled(row[at.replacement_1]), titled(row[at.replacement_2])]));
  document.getElementById("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content.record_text], { type: "application/json" }));
    link.download = "record.json";
    link.click();
  });
})();
