import Programs

GenerateCommand.start()
