import { plotsSvg, stripsSvg } from './chart.js';

const x = { from: 0, to: 10, ticks: [{ at: 5, label: 'lima' }] };

describe('pictures', () => {
  it('draw what they are given, the same bytes each time, names escaped', () => {
    const plot = {
      ...{ title: 'PM2.5 <a&b>', y: 'µg/m³', x, levels: [{ name: 'batas', at: 4 }] },
      series: [
        {
          name: 'benar',
          colour: 'blue',
          points: [
            [0, 1],
            [1, 2],
            [9, 8],
          ] as const,
          gap: 2,
        },
        { name: 'ditandai', colour: 'red', points: [[9, 8]] as const, as: 'dots' as const },
      ],
    };
    const svg = plotsSvg([plot]);
    expect(plotsSvg([plot])).toBe(svg);
    expect(svg).toContain('PM2.5 &#60;a&#38;b&#62;');
    // The line is broken at the gap.
    expect(/ d="(M[^"]*L[^"]*)" fill="none"/.exec(svg)?.[1]?.match(/M/g)).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(1);
    for (const word of ['benar', 'ditandai', 'batas', 'lima']) expect(svg).toContain(`>${word}</text>`);
  });

  it('draw spans in rows', () => {
    const strips = [
      {
        name: 'kamera',
        spans: [
          { from: 0, to: 5, colour: 'green' },
          { from: 5, to: 10, colour: 'red' },
        ],
      },
    ];
    const svg = stripsSvg({ title: 'Kamera', x, strips, legend: [{ name: 'naik', colour: 'green' }] });
    const widths = Array.from(svg.matchAll(/<rect x="[\d.]+" y="41" width="([\d.]+)"/g), ([, width]) =>
      Number(width),
    );
    expect(widths).toHaveLength(2);
    expect(widths[0]).toBeCloseTo(widths[1]!);
  });
});
