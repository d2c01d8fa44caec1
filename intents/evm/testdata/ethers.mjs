// Writes ethers.json: what another implementation makes of transactions,
// messages and calls. In a folder with `npm i ethers@6.17.0`:
//
//	node ethers.mjs > ethers.json
import { Wallet, Transaction, TypedDataEncoder, Interface, hashMessage, keccak256, toUtf8Bytes, parseUnits, getAddress } from 'ethers';

const wallets = ['one', 'two', 'three'].map((n) => new Wallet(keccak256(toUtf8Bytes(n))));
const to = '0xd8da6bf26964af9d7eed9e03e53415d37aa96045';
const accessList = [
  { address: to, storageKeys: ['0x' + '00'.repeat(31) + '07', '0x' + 'ab'.repeat(32)] },
  { address: '0x0000000000000000000000000000000000000001', storageKeys: [] },
];
const big = (2n ** 200n).toString();

const transactions = [
  { type: 0, chainId: 1, nonce: 0, gasPrice: '20000000000', gasLimit: '21000', to, value: '1', data: '0x' },
  { type: 0, chainId: 84532, nonce: 7, gasPrice: '0', gasLimit: '90000', to, value: '0', data: '0xa9059cbb' },
  { type: 0, chainId: '9007199254740991', nonce: 300, gasPrice: '1', gasLimit: '53000', to: null, value: '0', data: '0x6001600155' },
  { type: 1, chainId: 10, nonce: 1, gasPrice: '5', gasLimit: '30000', to, value: big, data: '0x00', accessList },
  { type: 1, chainId: 137, nonce: 128, gasPrice: '100', gasLimit: '30000', to, value: '5', data: '0x', accessList: [] },
  { type: 2, chainId: 8453, nonce: 2, maxFeePerGas: '30000000000', maxPriorityFeePerGas: '1000000000', gasLimit: '21000', to, value: '1000000000000000000', data: '0x', accessList: [] },
  { type: 2, chainId: 1, nonce: 65536, maxFeePerGas: big, maxPriorityFeePerGas: '0', gasLimit: '9007199254740991', to, value: '0', data: '0x' + 'ff'.repeat(300), accessList },
  { type: 2, chainId: 11155111, nonce: 0, maxFeePerGas: '2', maxPriorityFeePerGas: '2', gasLimit: '100000', to: null, value: '3', data: '0x60', accessList: [] },
].map((tx, i) => {
  const wallet = wallets[i % wallets.length];
  const t = Transaction.from(tx);
  const digest = t.unsignedHash;
  t.signature = wallet.signingKey.sign(digest);
  return { tx, key: wallet.privateKey, from: wallet.address, digest, raw: t.serialized, hash: t.hash };
});

const EIP712Domain = [
  { name: 'name', type: 'string' }, { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' },
];
const domain = { name: 'Test', version: '1', chainId: 8453, verifyingContract: to };
const typed = [
  {
    domain, primaryType: 'Everything',
    types: {
      Everything: [
        { name: 'a', type: 'address' }, { name: 'b', type: 'bool' }, { name: 's', type: 'string' }, { name: 'd', type: 'bytes' },
        { name: 'f', type: 'bytes4' }, { name: 'u8', type: 'uint8' }, { name: 'i8', type: 'int8' }, { name: 'u256', type: 'uint256' },
        { name: 'i256', type: 'int256' }, { name: 'n', type: 'Inner' }, { name: 'list', type: 'Inner[]' },
        { name: 'grid', type: 'uint16[2][]' }, { name: 'texts', type: 'string[]' }, { name: 'blobs', type: 'bytes[1]' },
      ],
      Inner: [{ name: 'x', type: 'uint24' }, { name: 'z', type: 'Zero' }],
      Zero: [{ name: 'w', type: 'bytes32' }],
      Apart: [{ name: 'never', type: 'bool' }],
    },
    message: {
      a: to, b: true, s: 'Grüße, 世界', d: '0x00ff', f: '0xdeadbeef', u8: 255, i8: -128,
      u256: (2n ** 256n - 1n).toString(), i256: (-(2n ** 255n)).toString(),
      n: { x: '0x0f', z: { w: '0x' + '11'.repeat(32) } },
      list: [{ x: 1, z: { w: '0x' + '22'.repeat(32) } }, { x: '16777215', z: { w: '0x' + '00'.repeat(32) } }],
      grid: [[1, 2], [3, 65535]], texts: ['', 'a'], blobs: ['0x'],
    },
  },
  {
    domain, primaryType: 'Empty',
    types: { Empty: [{ name: 'none', type: 'uint256[]' }, { name: 'tree', type: 'Leaf[]' }], Leaf: [] },
    message: { none: [], tree: [{}, {}] },
  },
  {
    domain: { ...domain, name: 'USD Coin', version: '2' }, primaryType: 'TransferWithAuthorization',
    types: {
      TransferWithAuthorization: [
        { name: 'from', type: 'address' }, { name: 'to', type: 'address' }, { name: 'value', type: 'uint256' },
        { name: 'validAfter', type: 'uint256' }, { name: 'validBefore', type: 'uint256' }, { name: 'nonce', type: 'bytes32' },
      ],
    },
    message: { from: to, to: '0x0000000000000000000000000000000000000001', value: '1500', validAfter: 0, validBefore: '1900000000', nonce: '0x' + '33'.repeat(32) },
  },
].map((d, i) => {
  const { Apart, ...used } = d.types;
  const digest = TypedDataEncoder.hash(d.domain, used, d.message);
  return {
    text: JSON.stringify({ ...d, types: { EIP712Domain, ...d.types } }), digest,
    type: TypedDataEncoder.from(used).encodeType(d.primaryType), key: wallets[i].privateKey,
    signature: wallets[i].signingKey.sign(digest).serialized,
  };
});

const personal = ['', 'hello', 'Grüße', 'x'.repeat(1000)].map((text) => ({ text, digest: hashMessage(text) }));

// Calls of every method whose effects are known, by its name.
const alice = getAddress('0x' + 'a1'.repeat(20)), bob = getAddress('0x' + 'b0'.repeat(20)), coin = getAddress('0x' + 'c0'.repeat(20));
const word = '0x' + '77'.repeat(32);
const encode = (name, ...values) => ({ name, data: new Interface(['function ' + name]).encodeFunctionData(name.split('(')[0], values) });
const inner = encode('transfer(address,uint256)', bob, 5).data;
const calls = [
  encode('transfer(address,uint256)', bob, 5),
  encode('transferFrom(address,address,uint256)', alice, bob, 5),
  encode('approve(address,uint256)', bob, 5),
  encode('increaseAllowance(address,uint256)', bob, 5),
  encode('decreaseAllowance(address,uint256)', bob, 5),
  encode('increaseApproval(address,uint256)', bob, 5),
  encode('transferFromAndCall(address,address,uint256)', alice, bob, 5),
  encode('transferFromAndCall(address,address,uint256,bytes)', alice, bob, 5, '0x01'),
  encode('send(address,uint256,bytes)', bob, 5, '0x01'),
  encode('operatorSend(address,address,uint256,bytes,bytes)', alice, bob, 5, '0x01', '0x'),
  encode('authorizeOperator(address)', bob),
  encode('transfer(address,uint256,uint256)', bob, 5, 6),
  encode('transferFrom(address,address,uint256,uint256)', alice, bob, 5, 6),
  encode('approve(address,uint256,uint256)', bob, 5, 6),
  encode('setOperator(address,bool)', bob, true),
  encode('transferAndCall(address,uint256)', bob, 5),
  encode('transferAndCall(address,uint256,bytes)', bob, 5, '0x01'),
  encode('approveAndCall(address,uint256)', bob, 5),
  encode('approveAndCall(address,uint256,bytes)', bob, 5, '0x01'),
  encode('safeTransferFrom(address,address,uint256)', alice, bob, 5),
  encode('safeTransferFrom(address,address,uint256,bytes)', alice, bob, 5, '0x01'),
  encode('safeTransferFrom(address,address,uint256,uint256,bytes)', alice, bob, 5, 6, '0x01'),
  encode('safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)', alice, bob, [1, 2], [3, 4], '0x01'),
  encode('setApprovalForAll(address,bool)', bob, true),
  encode('permit(address,address,uint256,uint256,uint8,bytes32,bytes32)', alice, bob, 5, 6, 27, word, word),
  encode('permit(address,address,uint256,uint256,bytes)', alice, bob, 5, 6, '0x01'),
  encode('permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)', alice, bob, 5, 6, true, 27, word, word),
  encode('permit(address,uint256,uint256,uint8,bytes32,bytes32)', bob, 5, 6, 27, word, word),
  encode('permit(address,uint256,uint256,bytes)', bob, 5, 6, '0x01'),
  encode('transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)', alice, bob, 5, 6, 7, word, 27, word, word),
  encode('transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)', alice, bob, 5, 6, 7, word, '0x01'),
  encode('receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)', alice, bob, 5, 6, 7, word, 27, word, word),
  encode('receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)', alice, bob, 5, 6, 7, word, '0x01'),
  encode('approve(address,address,uint160,uint48)', coin, bob, 5, 6),
  encode('permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)', alice, [[coin, 5, 6, 7], bob, 8], '0x01'),
  encode('permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)', alice, [[[coin, 5, 6, 7], [bob, 8, 6, 7]], bob, 8], '0x01'),
  encode('transferFrom(address,address,uint160,address)', alice, bob, 5, coin),
  encode('transferFrom((address,address,uint160,address)[])', [[alice, bob, 5, coin], [bob, alice, 6, coin]]),
  encode('permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)', [[coin, 9], 1, 2], [bob, 5], alice, '0x01'),
  encode('permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)', [[coin, 9], 1, 2], [bob, 5], alice, word, 'w', '0x01'),
  encode('permitTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes)', [[[coin, 9], [coin, 8]], 1, 2], [[bob, 5], [bob, 6]], alice, '0x01'),
  encode('permitWitnessTransferFrom(((address,uint256)[],uint256,uint256),(address,uint256)[],address,bytes32,string,bytes)', [[[coin, 9], [coin, 8]], 1, 2], [[bob, 5], [bob, 6]], alice, word, 'w', '0x01'),
  encode('multicall(bytes[])', [inner, inner]),
  encode('multicall(uint256,bytes[])', 1, [inner]),
  encode('multicall(bytes32,bytes[])', word, [inner]),
  encode('aggregate((address,bytes)[])', [[coin, inner], [bob, '0x']]),
  encode('blockAndAggregate((address,bytes)[])', [[coin, inner]]),
  encode('tryAggregate(bool,(address,bytes)[])', false, [[coin, inner]]),
  encode('tryBlockAndAggregate(bool,(address,bytes)[])', false, [[coin, inner]]),
  encode('aggregate3((address,bool,bytes)[])', [[coin, true, inner]]),
  encode('aggregate3Value((address,bool,uint256,bytes)[])', [[coin, true, 0, inner], [bob, false, 3, '0x']]),
  encode('execute(address,uint256,bytes)', coin, 3, inner),
  encode('execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)', coin, 0, inner, 0, 0, 0, 1, coin, bob, '0x01'),
  encode('execTransactionFromModule(address,uint256,bytes,uint8)', coin, 0, inner, 0),
  encode('multiSend(bytes)', '0x00' + coin.slice(2).toLowerCase() + '00'.repeat(32) + '44'.padStart(64, '0') + inner.slice(2) + '00' + bob.slice(2).toLowerCase() + '03'.padStart(64, '0') + '00'.repeat(32)),
];

console.log(JSON.stringify({ transactions, typed, personal, calls }, null, 1));
