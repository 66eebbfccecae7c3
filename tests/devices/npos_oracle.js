// Takes ESC/POS bytes apart with npos and prints what it found as JSON; status 1 for bytes npos does not know.
// usage: node npos_oracle.js FOLDER-OF-NPOS FILE
'use strict';

const fs = require('fs');
const path = require('path');

const [folder, file] = process.argv.slice(2);
const npos = require(path.resolve(folder, 'node_modules', 'npos'));
console.log = () => {}; // npos chats

const rules = npos.rules;
rules[npos.symbols.GS]['(k'] = [0, 'd16']; // two-dimensional codes: the one command of ours that npos lacks
const parser = npos.parser(rules);

function band(raw, node) {
  const image = npos.codecs.raster.decode(raw, [{offset: node.offset}]);
  const rows = [];
  for (let y = 0; y < image.height; y++) {
    let row = '';
    for (let x = 0; x < image.width; x += 8) {
      let byte = 0;
      for (let bit = 0; bit < 8; bit++) byte = byte * 2 + (image.getPixel(x + bit, y) === 0 ? 1 : 0);
      row += byte.toString(16).padStart(2, '0');
    }
    rows.push(row);
  }
  return rows;
}

async function main() {
  const raw = fs.readFileSync(file);
  const ast = parser.analyze(raw);
  if (ast.error) {
    process.stderr.write(ast.error.message + '\n');
    process.exit(1);
  }
  const commands = ast.tree.map((node) => [node.ascii + ' ' + (node.fn || ''), node.offset, node.length]);
  const bands = ast.tree.filter((node) => node.fn === 'v0').map((node) => band(raw, node));
  const entries = (await parser.parse(raw)).entries.filter((entry) => entry.type === 'text');
  const texts = await npos.textualize(entries);
  process.stdout.write(JSON.stringify({commands, bands, text: texts.join('')}));
}

main();
