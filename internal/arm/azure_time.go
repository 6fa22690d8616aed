package arm

import "time"

// compareClocks notes how far Azure's clock is from ours: an answer's Date was
// written when it was sent, with the fraction of the second cut off.
func (c *Client) compareClocks(a *Answer) {
	if a.Header.Get("Date") != "" {
		c.skew.Store(int64(a.Date.Sub(c.clock())))
	}
}

// AzureTime is the time that Azure's clock showed at a time of ours, or up to
// two seconds earlier, by the Date of the last answer; unchanged before the
// first. The times of jobs are Azure's.
func (c *Client) AzureTime(ours time.Time) time.Time {
	return ours.Add(time.Duration(c.skew.Load()))
}
