import { describe, expect, test } from 'vitest';
import { readDump } from './read-dump.js';
import { readJson } from './read-json.js';

const rowsOf = (sql: string, table = 't') => readDump(sql).rows.get(table);
const CREATE = 'CREATE TABLE `t` (`a` int(11), `b` text, PRIMARY KEY (`a`));';

describe('values of a mysqldump', () => {
  test.for([
    ["'it\\'s'", "it's"],
    ["'it''s'", "it's"],
    ['"double \\"quoted\\""', 'double "quoted"'],
    ["'a\\\\b'", 'a\\b'],
    ["'line\\nnext\\ttab\\0nul\\Z'", 'line\nnext\ttab\0nul\x1a'],
    ["'50\\% \\_'", '50\\% \\_'],
    ["'a,b);(c'", 'a,b);(c'],
    ["'-- no comment /* nor this */ # nor this'", '-- no comment /* nor this */ # nor this'],
    ["'名字'", '名字'],
    ["_utf8mb4'text'", 'text'],
    ["_binary 'text'", 'text'],
    ['0xE5908D', '名'],
    ["x'e5908d'", '名'],
    ['-1.50', '-1.50'],
    ['1e3', '1e3'],
    ["''", ''],
    ['NULL', null],
    ['null', null],
    ['current_timestamp()', 'current_timestamp()'],
  ] as const)('%s', ([written, meant]) => {
    expect(rowsOf(`${CREATE} INSERT INTO \`t\` VALUES (1,${written});`)).toEqual([{ a: '1', b: meant }]);
  });
});

describe('statements of a mysqldump', () => {
  test('several rows, several statements, with and without a list of columns', () => {
    const sql = `/*!40101 SET NAMES utf8 */;\n-- a comment; with 'quotes\n# another\n${CREATE}
      INSERT INTO \`db\`.\`t\` VALUES (1,'x'),\n (2,'y');
      insert ignore into db.t (b, \`a\`) values ('z', 3) on duplicate key update b='no';
      REPLACE INTO t (a) VALUE (4);`;
    expect(rowsOf(sql)).toEqual([{ a: '1', b: 'x' }, { a: '2', b: 'y' }, { b: 'z', a: '3' }, { a: '4' }]);
  });

  test('columns are told from keys, whatever they are called and commented with', () => {
    const sql = `CREATE TABLE IF NOT EXISTS \`t\` (\`key\` enum('a,b','c)') NOT NULL COMMENT 'x, \`y\` (z', primary_one int,
      \`require\` decimal(10,2) DEFAULT '0.00', UNIQUE KEY \`u\` (\`key\`,\`require\`), CONSTRAINT c CHECK ((1 > 0))) ENGINE=InnoDB;
      INSERT INTO t VALUES ('c)', 5, 1.5);`;
    expect(rowsOf(sql)).toEqual([{ key: 'c)', primary_one: '5', require: '1.5' }]);
  });

  test('what cannot be read is told, never dropped', () => {
    const sql = `${CREATE} INSERT INTO t VALUES (1); INSERT INTO t SELECT * FROM o; INSERT INTO o VALUES (1);`;
    expect(readDump(sql).problems).toEqual([
      'a row of t was not read: 1 values for 2 columns, beginning with "1"',
      'an INSERT into t without VALUES was not read',
      'rows of o were not read: neither the INSERT nor a CREATE TABLE tells their columns',
    ]);
    expect(() => readDump("INSERT INTO t VALUES ('no end);")).toThrow(/has no end/);
  });
});

test.for([
  [
    'of phpMyAdmin',
    [
      { type: 'header' },
      { type: 'database', name: 'x' },
      { type: 'table', name: 'pre_server_detail', data: [{ app_key: 's1', id: 1 }] },
    ],
  ],
  ['a list for each table', { pre_server_detail: [{ app_key: 's1', id: 1 }] }],
  ['plain rows', [{ app_key: 's1', id: 1 }]],
] as const)('JSON %s', ([, document]) => {
  expect(readJson(JSON.stringify(document)).rows.get('pre_server_detail')).toEqual([{ app_key: 's1', id: '1' }]);
});
