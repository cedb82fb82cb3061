/**
 * One command to a MongoDB node: BSON and its OP_MSG, as far as setting up a replica set takes them. No driver is needed for that, and a driver would not talk to
 * a node that is not set up.
 */
import { connect } from 'node:net';

const PATIENCE_MS = 5_000;
/** Of values whose type tells their size, in bytes. */
const SIZES = { 0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0a: 0, 0x10: 4, 0x11: 8, 0x12: 8 };

function element(name, value) {
  const key = Buffer.from(`${name}\0`);
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return Buffer.concat([Buffer.from([0x10]), key, bytes]);
  }
  if (typeof value === 'string') {
    const text = Buffer.from(`${value}\0`);
    const length = Buffer.alloc(4);
    length.writeInt32LE(text.length);
    return Buffer.concat([Buffer.from([0x02]), key, length, text]);
  }
  return Buffer.concat([Buffer.from([Array.isArray(value) ? 0x04 : 0x03]), key, document(value)]);
}

function document(fields) {
  const body = Buffer.concat(Object.entries(fields).map(([name, value]) => element(name, value)));
  const length = Buffer.alloc(4);
  length.writeInt32LE(body.length + 5);
  return Buffer.concat([length, body, Buffer.from([0])]);
}

/** The fields of a document that are booleans, numbers or texts; others are skipped by their length. */
function read(bytes) {
  const fields = {};
  for (let at = 4; bytes[at] !== 0; ) {
    const type = bytes[at];
    const end = bytes.indexOf(0, at + 1);
    const name = bytes.toString('utf8', at + 1, end);
    at = end + 1;
    if (type === 0x01) fields[name] = bytes.readDoubleLE(at);
    if (type === 0x02) fields[name] = bytes.toString('utf8', at + 4, at + 3 + bytes.readInt32LE(at));
    if (type === 0x08) fields[name] = bytes[at] === 1;
    if (type === 0x10) fields[name] = bytes.readInt32LE(at);
    if (type === 0x02) at += 4 + bytes.readInt32LE(at);
    else if (type === 0x05) at += 5 + bytes.readInt32LE(at);
    else if (type === 0x03 || type === 0x04) at += bytes.readInt32LE(at);
    else at += SIZES[type];
  }
  return fields;
}

/** Sends `fields` to the database admin of the node at `port`; rejects when it does not answer, or not with success. */
export function command(port, fields) {
  const body = document({ ...fields, $db: 'admin' });
  const header = Buffer.alloc(21);
  header.writeInt32LE(21 + body.length, 0);
  header.writeInt32LE(1, 4);
  header.writeInt32LE(2013, 12);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = Buffer.alloc(0);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`MongoDB at port ${port} does not answer`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`MongoDB at port ${port} ended the connection`)));
    socket.on('data', (piece) => {
      answer = Buffer.concat([answer, piece]);
      if (answer.length < 4 || answer.length < answer.readInt32LE(0)) return;
      const said = read(answer.subarray(21));
      socket.destroy();
      if (said.ok === 1) resolve(said);
      else reject(new Error(`MongoDB at port ${port}: ${said.errmsg}`));
    });
    socket.write(Buffer.concat([header, body]));
  });
}
