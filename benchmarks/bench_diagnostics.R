# Mantel-Haenszel of two-category items with base R: Rscript bench_diagnostics.R <answers.csv>
# Columns focal, stratum, then items. Prints processor seconds per item and the chi-squares with continuity correction.
d <- read.csv(commandArgs(trailingOnly = TRUE)[1])
items <- setdiff(names(d), c("focal", "stratum"))
value <- c()
used <- system.time(for (j in items) {
  own <- !is.na(d[[j]])
  t <- table(d$focal[own], d[[j]][own], d$stratum[own])
  g <- apply(t, c(1, 3), sum)
  m <- mantelhaen.test(t[, , colSums(g) > 1 & g[1, ] > 0 & g[2, ] > 0, drop = FALSE], correct = TRUE)
  value <- c(value, m$statistic)
})
cat(sprintf("%.4f %s\n", sum(used[c("user.self", "sys.self")]) / length(items), paste(sprintf("%.12g", value), collapse = " ")))
