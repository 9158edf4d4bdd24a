"""Questions and answers between schools, communes, provinces and the ministry; letters and texts; who to reach."""
