// What both servers publish: the same messages at the same moments, in milliseconds
// from the first poll, or from the opened WebSocket. The pauses leave polls without
// news, the bursts give one poll several, and one message needs a 16-bit length.
export const messages = [
    [100, 'EURUSD 1.08214'],
    [150, 'EURUSD 1.08219'],
    [700, 'GBPUSD 1.27002'],
    [710, 'GBPUSD 1.27003'],
    [720, 'GBPUSD 1.27001'],
    [1500, JSON.stringify({ depth: Array.from({ length: 24 }, (_, i) => [1.08 + i / 1e4, 100 + i]) })],
    [1900, '人民币 7.2434'],
    [2450, 'USDCHF 0.88120'],
    [2990, 'bye'],
];
